"""Two folders of pictures of two kinds, each of which is to become the other."""
