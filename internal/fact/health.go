package fact

import "time"

// HealthEvent is an event of AWS Health about a service in a Region.
type HealthEvent struct {
	Seen
	ARN      string    `json:"arn"`
	Service  string    `json:"service"` // CODEPIPELINE
	Code     string    `json:"code"`    // AWS_CODEPIPELINE_OPERATIONAL_ISSUE
	Category string    `json:"category"`
	Region   string    `json:"region"`
	Status   string    `json:"status"` // open, closed, upcoming
	Start    time.Time `json:"start,omitzero"`
	End      time.Time `json:"end,omitzero"`
	Text     string    `json:"text,omitempty"` // the latest description
}

// Organization is the organisation that an account belongs to.
type Organization struct {
	Seen
	ID         string `json:"id"`
	ARN        string `json:"arn"`
	Management string `json:"management"` // account ID of the management account
}

// Alias is the alias of an account: an account has one or none (docs/aws-facts.md, "An account's name").
type Alias struct {
	Seen
	Name string `json:"name"` // "": none
}

// AccountTags are the tags of an account in AWS Organizations.
type AccountTags struct {
	Seen
	Tags map[string]string `json:"tags"`
}
