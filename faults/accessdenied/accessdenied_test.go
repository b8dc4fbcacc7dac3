package accessdenied_test

import (
	"testing"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/faults/accessdenied"
	"github.com/unjam/unjam/internal/testkit"
)

func TestFault(t *testing.T) { testkit.Fault(t, accessdenied.Fault(), faults.All()) }
