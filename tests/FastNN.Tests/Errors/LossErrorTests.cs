using System.Reflection;

namespace FastNN.Tests.Errors;

/// <summary>
/// Every public loss and metric with every constructor argument, property, prediction and target made wrong: it gives a named
/// error, or it is planned and runs.
/// </summary>
internal sealed class LossErrorTests : DeviceFixture
{
    private static IEnumerable<CallRow> Rows => [.. LossTable.Rows, .. MetricTable.Rows];

    [Test]
    public void Every_public_loss_has_a_row() => Assert.That(Missing.Of<Loss>(Rows), Is.Empty);

    [Test]
    public void Every_public_metric_has_a_row()
    {
        Assert.That(Missing.Of<Metric>(Rows), Is.Empty);
        Assert.That(
            typeof(Metric).GetProperties(BindingFlags.Public | BindingFlags.Static).Select(property => property.Name)
                .Except(Rows.Select(row => row.Name)),
            Is.Empty);
    }

    [Test]
    public void Rows_are_right_as_they_stand()
    {
        Assert.That(Rows.Select(row => CallTrial.Problem(One, row, row.Arguments, [], run: true)).OfType<string>(), Is.Empty);
    }

    [TestCaseSource(nameof(Rows))]
    public void A_wrong_argument_is_refused_by_name_or_works(CallRow row)
    {
        string[] problems = CallTrial.Problems(One, row);
        Assert.That(problems, Is.Empty, string.Join('\n', problems));
    }
}
