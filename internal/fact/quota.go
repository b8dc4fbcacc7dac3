package fact

import "time"

// ServiceQuota is one applied quota as ListServiceQuotas shows it.
type ServiceQuota struct {
	Seen
	Service    string  `json:"service"` // service code: codepipeline
	Code       string  `json:"code"`    // L-78D200AD
	Name       string  `json:"name"`
	Value      float64 `json:"value"`
	Adjustable bool    `json:"adjustable"`
}

// Webhook is a pipeline webhook of the Region; connection sources have none.
type Webhook struct {
	Seen
	ARN      string    `json:"arn"`
	Name     string    `json:"name"`
	Pipeline string    `json:"pipeline"`
	Error    string    `json:"error,omitempty"`
	Last     time.Time `json:"last,omitzero"` // last triggered
}
