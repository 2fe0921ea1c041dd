namespace FastNN.Tests.Errors;

/// <summary>
/// Every public layer with every constructor argument, property and input made wrong: it gives a named error, or it is planned
/// and runs.
/// </summary>
internal sealed class LayerErrorTests : DeviceFixture
{
    private static IEnumerable<CallRow> Rows => LayerTable.Rows;

    [Test]
    public void Every_public_layer_has_a_row() => Assert.That(Missing.Of<Layer>(Rows), Is.Empty);

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
