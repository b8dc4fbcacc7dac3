package artifactbucketmissing_test

import (
	"testing"

	"github.com/unjam/unjam/faults"
	"github.com/unjam/unjam/faults/artifactbucketmissing"
	"github.com/unjam/unjam/internal/testkit"
)

func TestFault(t *testing.T) { testkit.Fault(t, artifactbucketmissing.Fault(), faults.All()) }
