package readsdisagree_test

import (
	"testing"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/faults/readsdisagree"
	"github.com/unjam/unjam/internal/testkit"
)

func TestFault(t *testing.T) { testkit.Fault(t, readsdisagree.Fault(), faults.All()) }
