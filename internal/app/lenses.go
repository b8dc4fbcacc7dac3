package app

import (
	"github.com/unjam/unjam/internal/fault"
	"github.com/unjam/unjam/internal/history"
	"github.com/unjam/unjam/internal/triage"
)

// lenses are what every diagnosis adds to its findings.
func lenses() []fault.Lens {
	return []fault.Lens{triage.Lens(), history.Lens()}
}
