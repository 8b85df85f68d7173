# The part of matplotlib that dashboards/drawn uses; it is installed for `make pictures` only.
