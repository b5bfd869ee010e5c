"""Publishing from the command line to a site that is reached by HTTP.

``site`` speaks to the index, ``direct`` sends parts straight to its store, ``form`` sends the form that every
index takes, ``local`` knows the file.
"""
