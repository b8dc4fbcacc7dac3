package fact

// CustomActionType is a custom action registered in the Region.
type CustomActionType struct {
	Seen
	Category   string   `json:"category"`
	Provider   string   `json:"provider"`
	Version    string   `json:"version"`
	Properties []string `json:"properties,omitempty"` // names of what an action has to be configured with
}

// ActionTypeRef names a custom action type of a Region by its TypeName.
func ActionTypeRef(scope Scope, name string) Ref {
	return Ref{Scope: scope, Kind: KindActionType, ID: name}
}

// TypeName is "CATEGORY/PROVIDER/VERSION".
func (t CustomActionType) TypeName() string { return t.Category + "/" + t.Provider + "/" + t.Version }

// Field knows "version".
func (t CustomActionType) Field(path string) (string, bool) { return t.Version, path == "version" }

// TypeName is the type of an action as CustomActionType names one: "CATEGORY/PROVIDER/VERSION".
func (a Action) TypeName() string { return a.Category + "/" + a.Provider + "/" + a.Version }
