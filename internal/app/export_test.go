package app

import "github.com/unjam/unjam/internal/fault"

// Lenses are the lenses of every diagnosis, for judging its snapshot again.
func Lenses() []fault.Lens { return lenses() }
