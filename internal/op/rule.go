package op

// ruleWrites are the calls that change a rule of EventBridge's default bus.
func ruleWrites() []Op {
	state := func(name, undo, says, disturbs string) Op {
		return Op{
			Service: "events", Name: name, Actions: []string{"events:" + name}, Resource: ruleARN, Write: true, Repeat: Safe,
			Undo:     func(in Input) (string, string, Input) { return "events", undo, Input{"Name": in["Name"]} },
			Says:     func(in Input) string { return says + " the rule " + in["Name"] },
			Disturbs: disturbs,
		}
	}
	return []Op{
		state("EnableRule", "DisableRule", "enable", "every event that matches invokes all targets of the rule again"),
		state("DisableRule", "EnableRule", "disable", "no event invokes the targets of the rule any more"),
		{
			// PutRule writes a rule as a whole, its targets aside. Its input is flat: Name, EventPattern, State, Description, RoleArn. A step
			// says its own undo: the rule as it was.
			Service: "events", Name: "PutRule", Actions: []string{"events:PutRule"}, Resource: ruleARN, Write: true, Repeat: Safe,
			Says:     func(in Input) string { return "have the rule " + in["Name"] + " match " + in["EventPattern"] },
			Disturbs: "other events invoke the targets of the rule than before",
			OneWay:   "without the rule as it was it cannot be undone",
		},
	}
}
