package fact

import (
	"strconv"
	"time"
)

// Definition is a pipeline's declaration of one version, flattened, without secrets.
type Definition struct {
	Seen
	Pipeline string    `json:"pipeline"`
	Version  int       `json:"version"`
	Updated  time.Time `json:"updated,omitzero"` // metadata.updated of the pipeline: of the newest version only
	Values   Values    `json:"values"`
}

// DefinitionRef is one version of a pipeline.
func DefinitionRef(scope Scope, pipeline string, version int) Ref {
	return Ref{Scope: scope, Kind: KindDefinition, ID: pipeline + "@" + strconv.Itoa(version)}
}

// ConfigItem is what AWS Config recorded of a resource at one time.
type ConfigItem struct {
	Seen
	Type     string    `json:"type"` // AWS::CodePipeline::Pipeline
	Name     string    `json:"name"`
	ID       string    `json:"id"`
	Status   string    `json:"status"` // OK, ResourceDiscovered, ResourceDeleted ...
	Captured time.Time `json:"captured"`
	State    string    `json:"state"` // configurationStateId
	Values   Values    `json:"values"`
}
