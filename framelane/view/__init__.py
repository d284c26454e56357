"""`framelane view`: the live view with all that it needs of the other parts."""
