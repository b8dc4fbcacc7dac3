package transitiondisabled_test

import (
	"testing"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/faults/transitiondisabled"
	"github.com/unjam/unjam/internal/testkit"
)

func TestFault(t *testing.T) { testkit.Fault(t, transitiondisabled.Fault(), faults.All()) }
