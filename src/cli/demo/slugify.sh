#!/bin/sh
# Turns a title into a slug: lower case, words joined by single hyphens.
printf '%s\n' "$*" | tr 'A-Z' 'a-z' | tr ' ' '-'
