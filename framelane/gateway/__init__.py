"""The gateway: an image in, the processed image back, over TCP (Int32 strings) and HTTP.

`exchange` turns what is asked into records and finds the replies; `int32` and `http` speak with clients; `budget`
limits what all of them together may have in hand.
"""
