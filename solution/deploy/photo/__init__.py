"""Find faces in any picture or video, frame them like training pictures, read their points, and draw and write them."""
