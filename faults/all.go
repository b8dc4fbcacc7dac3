// Package faults lists every fault of the catalogue. It holds nothing else and never judges.
package faults

import (
	"github.com/unjam/unjam/faults/connectiondenied"
	"github.com/unjam/unjam/faults/connectionmissing"
	"github.com/unjam/unjam/faults/connectionpending"
	"github.com/unjam/unjam/faults/sourcestale"
	"github.com/unjam/unjam/internal/fault"
)

// All returns every fault, by code.
func All() []*fault.Fault {
	return []*fault.Fault{
		connectiondenied.Fault(),
		connectionmissing.Fault(),
		connectionpending.Fault(),
		sourcestale.Fault(),
	}
}
