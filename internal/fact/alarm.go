package fact

import "time"

// Alarm is a metric alarm of CloudWatch that watches a namespace of CodePipeline, however it is spelled. Others are not kept.
type Alarm struct {
	Seen
	Name    string    `json:"name"`
	ARN     string    `json:"arn"`
	State   string    `json:"state"`             // OK, ALARM or INSUFFICIENT_DATA
	Missing string    `json:"missing,omitempty"` // what missing data counts as: breaching, notBreaching, ignore; "" is missing
	Actions []string  `json:"actions,omitempty"` // ARNs of what is told when it goes off
	Enabled bool      `json:"enabled"`           // whether its actions are
	Put     time.Time `json:"put,omitzero"`      // when its configuration was last written
	Watches []Watched `json:"watches"`
}

// Watched is one metric that an alarm watches.
type Watched struct {
	Namespace  string            `json:"namespace"`
	Metric     string            `json:"metric"`
	Dimensions map[string]string `json:"dimensions,omitempty"`
}
