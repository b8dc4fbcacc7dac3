package fact

import "time"

// StackResource is a resource that a CloudFormation stack owns.
type StackResource struct {
	Seen
	Stack    string    `json:"stack"`   // name
	StackID  string    `json:"stackId"` // ARN
	Logical  string    `json:"logical"`
	Physical string    `json:"physical"`
	Type     string    `json:"type"`
	Status   string    `json:"status"`           // of the resource
	Drift    string    `json:"drift"`            // of the last detection: IN_SYNC, MODIFIED, DELETED, NOT_CHECKED
	Checked  time.Time `json:"checked,omitzero"` // when that was
}

// Drift is what the last drift detection says of one resource of a stack. Connections never show PENDING here: their status is no
// property.
type Drift struct {
	Seen
	Stack       string          `json:"stack"`
	Logical     string          `json:"logical"`
	Physical    string          `json:"physical"`
	Type        string          `json:"type"`
	Status      string          `json:"status"`
	Checked     time.Time       `json:"checked,omitzero"`
	Differences []PropertyDrift `json:"differences,omitempty"`
}

// PropertyDrift is one property that differs from the template.
type PropertyDrift struct {
	Path     string `json:"path"` // "/Stages/0/Actions/0/Configuration/BranchName"
	Expected Value  `json:"expected"`
	Actual   Value  `json:"actual"`
	Kind     string `json:"kind"` // ADD, REMOVE, NOT_EQUAL
}

// Declared is a resource as a Terraform state or plan declares it.
type Declared struct {
	Seen
	Tool    string       `json:"tool"` // terraform
	File    string       `json:"file"`
	Address string       `json:"address"` // aws_codepipeline.web
	Type    string       `json:"type"`
	ARN     string       `json:"arn,omitempty"`
	Name    string       `json:"name,omitempty"`
	Values  Values       `json:"values"`
	Drifted []Difference `json:"drifted,omitempty"` // a plan's resource_drift: what changed outside Terraform
}
