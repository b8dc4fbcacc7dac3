package app

import "github.com/unjam/unjam/internal/fault"

// lenses are what every diagnosis adds to its findings.
func lenses() []fault.Lens {
	return []fault.Lens{}
}
