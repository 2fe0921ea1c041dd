namespace FastNN.ServerPeers;

/// <summary>How often what came of the requests of each group. Thread-safe.</summary>
internal sealed class Tally
{
    /// <summary>The connection ended without an answer.</summary>
    public const string Closed = "closed";

    /// <summary>The connection was open when the run ended.</summary>
    public const string Open = "open at the end";

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Group> _groups = [];

    /// <summary>The groups in the order in which they were added.</summary>
    public IEnumerable<Group> Groups => _groups.Values;

    /// <summary>Adds a group.</summary>
    /// <param name="name">What its clients do.</param>
    /// <param name="wanted">What may come of it, in words.</param>
    /// <param name="isGood">Whether one outcome is as it should be.</param>
    public void Add(string name, string wanted, Predicate<string> isGood) =>
        _groups.Add(name, new Group(name, wanted, isGood, []));

    /// <summary>Counts an outcome.</summary>
    /// <returns>Whether it is as it should be.</returns>
    public bool Count(string group, string outcome)
    {
        lock (_lock)
        {
            Dictionary<string, long> outcomes = _groups[group].Outcomes;
            outcomes[outcome] = outcomes.GetValueOrDefault(outcome) + 1;
        }

        return _groups[group].IsGood(outcome);
    }

    /// <summary>Whether a status refuses a request as the caller's fault.</summary>
    public static bool IsRefusal(string outcome) => outcome.Length == 3 && outcome[0] == '4';

    internal sealed record Group(string Name, string Wanted, Predicate<string> IsGood, Dictionary<string, long> Outcomes)
    {
        public long Total => Outcomes.Values.Sum();

        public long Bad => Outcomes.Where(outcome => !IsGood(outcome.Key)).Sum(outcome => outcome.Value);

        public override string ToString() => string.Join(", ", Outcomes.OrderBy(outcome => outcome.Key, StringComparer.Ordinal)
            .Select(outcome => Report.Text($"{outcome.Key}: {outcome.Value}")));
    }
}
