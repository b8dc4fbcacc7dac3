package fact

// Project is a CodeBuild project, as far as a pipeline rests on it.
type Project struct {
	Seen
	Name    string   `json:"name"`
	ARN     string   `json:"arn"`
	Role    string   `json:"role"` // service role ARN
	VPC     string   `json:"vpc,omitempty"`
	Subnets []string `json:"subnets,omitempty"`
	Groups  []string `json:"groups,omitempty"`
}
