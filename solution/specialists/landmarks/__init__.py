"""Networks that see the whole picture and give coordinates: training and prediction."""
