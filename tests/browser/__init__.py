"""The portal in Chromium. A package, so that its house ends with its tests, and not with all that come after."""
