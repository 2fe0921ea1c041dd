using System.Globalization;
using FastNN.Cli.Checks;

namespace FastNN.Tests.Cli;

/// <summary>`fastnn doctor` and `fastnn selftest` on the processor; FastNN.Cuda.Tests has the GPU's part.</summary>
internal sealed class ChecksTests : CliFixture
{
    [Test]
    public void Selftest_finds_the_processor_right_with_a_line_for_each_family()
    {
        CliResult result = Run("selftest", "--device", "cpu", "--threads", "2", "--quick");
        Assert.That(result.Code, Is.Zero, result.Output + result.Error);
        Assert.That(
            result.Output,
            Does.Contain("ok    operator  Conv2D").And.Contain("ok    golden    losses").And.Contain(
                "ok    network   conv2d").And.Contain("ok    training").And.Not.Contain("FAIL").And.Not.Contain("skip"));
        Assert.That(result.Output, Does.Contain("families are right on CPU"));
    }

    [Test]
    public void The_reference_numbers_are_those_of_the_checks_that_there_are()
    {
        CliResult result = Run("selftest", "--references");
        string[] keys = [
            .. result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(
                line => string.Join('\t', line.Split('\t')[..2]))];
        Assert.That(keys, Is.Unique.And.Length.EqualTo(SelfChecks.All.Count));
        Assert.That(
            Embedded().Select(line => string.Join('\t', line.Split('\t')[..2])), Is.EqualTo(keys),
            "`fastnn selftest --references` prints what belongs into Checks/references.tsv");
    }

    /// <summary>A check that could not fail would be none.</summary>
    [Test]
    public void A_wrong_number_of_any_kind_is_found(
        [Values("output", "loss", "gradient", "parameter", "not a number")] string kind)
    {
        SelfCheck check = SelfChecks.All.First(
            candidate => candidate.Family == "dense" && candidate.Name.StartsWith("[17", StringComparison.Ordinal));
        using var device = Device.Cpu(1);
        SelfCheckResult right = check.Run(device), wrong = check.Run(device);
        Assert.That(wrong.Compare(right), Is.EqualTo(((string?)null, 0.0)));
        float[] spoiled = kind switch
        {
            "loss" => wrong.Losses,
            "gradient" => wrong.Gradients["1.weight"],
            "parameter" => wrong.Parameters["0.shift"],
            _ => wrong.Outputs,
        };
        spoiled[^1] = kind == "not a number" ? float.NaN : spoiled[^1] + (2e-4f * spoiled.Max(Math.Abs));
        Assert.That(wrong.Compare(right).Fault, Does.Contain("expected"));
        Assert.That(wrong.Equal(right), Is.False);
    }

    [Test]
    public void Doctor_tells_what_the_processor_has_and_what_is_used_of_it()
    {
        CliResult result = Run("doctor");
        Assert.That(result.Code, Is.Zero, result.Error);
        Assert.That(
            result.Output,
            Does.Contain("processor").And.Contain("variables").And.Match("(AVX2 and FMA|NEON)").And.Contain("driver").And.Contain(
                "next        fastnn selftest"));
    }

    private static string[] Embedded()
    {
        using var reader = new StreamReader(
            typeof(SelfChecks).Assembly.GetManifestResourceStream("FastNN.Cli.Checks.references.tsv")!);
        string[] lines = reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(
            lines.SelectMany(line => line.Split('\t')[2..]).All(
                cell => double.TryParse(cell, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number)));
        return lines;
    }
}
