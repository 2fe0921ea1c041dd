namespace FastNN.Cli.Checks;

/// <summary>Cases of one kind: a line of the report.</summary>
/// <param name="Kind">What they are compared with: operator, golden, network, training.</param>
/// <param name="Name">What they are about.</param>
internal sealed record SelfTestFamily(string Kind, string Name, IReadOnlyList<SelfTestCase> Cases)
{
    /// <summary>Opens the device that they run on, where it is not the one of the whole test.</summary>
    public Func<Device>? Open { get; init; }

    public override string ToString() => $"{Kind} {Name}";
}

/// <summary>One case.</summary>
/// <param name="Name">For a failure.</param>
/// <param name="Run">Runs it on a device.</param>
internal sealed record SelfTestCase(string Name, Func<Device, SelfTestResult> Run);

/// <summary>What a case found.</summary>
/// <param name="Worst">The largest share of its tolerance that a value took.</param>
/// <param name="Fault">The first value that is wrong, with what was expected; null where none is.</param>
/// <param name="Skipped">Why the case did not run; null where it did.</param>
/// <param name="Remark">For the line of a family of one case.</param>
internal readonly record struct SelfTestResult(double Worst, string? Fault = null, string? Skipped = null, string? Remark = null);
