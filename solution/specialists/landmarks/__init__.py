"""Networks that take the whole picture and give coordinates: training and prediction."""
