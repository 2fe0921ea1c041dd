namespace FastNN.Tests.Errors;

/// <summary>
/// Every public optimizer and schedule with every argument made wrong: it gives a named error, or numbers for every step.
/// </summary>
internal sealed class OptimizerErrorTests
{
    private static IEnumerable<CallRow> Rows => [.. OptimizerTable.Rows, .. ScheduleTable.Rows];

    [Test]
    public void Every_public_optimizer_has_a_row() => Assert.That(Missing.Of<Optimizer>(Rows), Is.Empty);

    [Test]
    public void Every_way_to_a_schedule_has_a_row() => Assert.That(
        ScheduleTable.Factories.Select(method => $"Schedule.{method.Name}").Except(Rows.Select(row => row.Name)), Is.Empty);

    [Test]
    public void Rows_are_right_as_they_stand() =>
        Assert.That(Rows.Select(row => CallTrial.Problem(row, [])).OfType<string>(), Is.Empty);

    [TestCaseSource(nameof(Rows))]
    public void A_wrong_argument_is_refused_by_name_or_works(CallRow row)
    {
        string[] problems = [.. row.Mutations.Select(mutation => CallTrial.Problem(row, [mutation])).OfType<string>()];
        Assert.That(problems, Is.Empty, string.Join('\n', problems));
    }
}
