"""How long the texts are that every store keeps, in characters, and how large the numbers."""

#: Of projects, accounts and tokens; also addresses that somebody came from, and programs that they used.
NAME = 200
#: Of groups of this site.
GROUP = 100
#: Of file names, and of versions, which are parts of them.
FILENAME = 240
#: Of principals, and of what an identity provider calls itself and its people.
PRINCIPAL = 255
#: Of what a site calls an identity provider.
PROVIDER = 64
#: Of hashes of passwords, with the parameters that they were made with.
PASSWORD_HASH = 255
#: Of SHA-256 and BLAKE2b with 256 bits, in hex.
DIGEST = 64
#: Of the ids of tokens.
TOKEN = 32
#: Of what a journal entry says happened.
ACTION = 64

#: The largest number of days that a token is made for.
MOST_DAYS = 2**31 - 1
