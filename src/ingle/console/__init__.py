"""The web console's files as the server has them: built from `console/` at the top of the repository into `built/`.

Owns which address has which file and which headers. The console itself runs in browsers and talks to the public API
only, so nothing here knows of functions. Called by the composition root, which gives `frontend` the route.
"""
