// Package faults lists every fault of the catalogue. It holds nothing else and never judges.
package faults

import (
	"github.com/unjam/unjam/faults/accessdenied"
	"github.com/unjam/unjam/faults/actionfailed"
	"github.com/unjam/unjam/faults/actiontimeout"
	"github.com/unjam/unjam/faults/actiontypemissing"
	"github.com/unjam/unjam/faults/alarmblind"
	"github.com/unjam/unjam/faults/approvalwaiting"
	"github.com/unjam/unjam/faults/artifactbucketmissing"
	"github.com/unjam/unjam/faults/artifactdenied"
	"github.com/unjam/unjam/faults/certificatepending"
	"github.com/unjam/unjam/faults/connectiondenied"
	"github.com/unjam/unjam/faults/connectionerror"
	"github.com/unjam/unjam/faults/connectionmissing"
	"github.com/unjam/unjam/faults/connectionpending"
	"github.com/unjam/unjam/faults/connectionunusable"
	"github.com/unjam/unjam/faults/endpointblocks"
	"github.com/unjam/unjam/faults/executionqueued"
	"github.com/unjam/unjam/faults/hostnotready"
	"github.com/unjam/unjam/faults/imagetagimmutable"
	"github.com/unjam/unjam/faults/oauthsourcerefused"
	"github.com/unjam/unjam/faults/prefixmismatch"
	"github.com/unjam/unjam/faults/quotareached"
	"github.com/unjam/unjam/faults/readsdisagree"
	"github.com/unjam/unjam/faults/rolebroken"
	"github.com/unjam/unjam/faults/servicetrouble"
	"github.com/unjam/unjam/faults/sourcestale"
	"github.com/unjam/unjam/faults/stackactionfailed"
	"github.com/unjam/unjam/faults/transitiondisabled"
	"github.com/unjam/unjam/faults/triggerdead"
	"github.com/unjam/unjam/internal/fault"
)

// All returns every fault, by code.
func All() []*fault.Fault {
	return []*fault.Fault{
		accessdenied.Fault(),
		actionfailed.Fault(),
		actiontimeout.Fault(),
		alarmblind.Fault(),
		actiontypemissing.Fault(),
		approvalwaiting.Fault(),
		artifactbucketmissing.Fault(),
		artifactdenied.Fault(),
		certificatepending.Fault(),
		connectiondenied.Fault(),
		connectionerror.Fault(),
		connectionmissing.Fault(),
		connectionpending.Fault(),
		connectionunusable.Fault(),
		endpointblocks.Fault(),
		executionqueued.Fault(),
		hostnotready.Fault(),
		imagetagimmutable.Fault(),
		oauthsourcerefused.Fault(),
		prefixmismatch.Fault(),
		quotareached.Fault(),
		readsdisagree.Fault(),
		rolebroken.Fault(),
		servicetrouble.Fault(),
		sourcestale.Fault(),
		stackactionfailed.Fault(),
		transitiondisabled.Fault(),
		triggerdead.Fault(),
	}
}
