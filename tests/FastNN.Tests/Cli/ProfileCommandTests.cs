using System.Text.Json;

namespace FastNN.Tests.Cli;

/// <summary>`fastnn profile` on the CPU.</summary>
internal sealed class ProfileCommandTests : CliFixture
{
    private const string Recipe = "breast-cancer-mlp";

    [Test]
    public void A_step_is_shown_operator_by_operator_and_as_a_trace()
    {
        CliResult result = Run(
            "profile", Recipe, "--steps", "4", "--threads", "1", "--trace", At("trace.json"), "--json", At("profile.json"));
        Assert.That(result.Code, Is.Zero, result.Error);
        Assert.That(
            result.Output,
            Does.Contain("Dense + ReLU backward").And.Contain("Adam update").And.Contain("median of 28").And.Contain("of 4; ")
                .And.Contain("us/call"));
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(At("profile.json")));
        JsonElement[] operators = [.. json.RootElement.GetProperty("operators").EnumerateArray()];
        using JsonDocument trace = JsonDocument.Parse(File.ReadAllText(At("trace.json")));
        Assert.Multiple(() =>
        {
            Assert.That(operators.Select(one => one.GetProperty("calls").GetDouble()), Is.All.EqualTo(1));
            Assert.That(
                operators.Select(one => one.GetProperty("pass").GetString()).Distinct(),
                Is.EquivalentTo(new[] { "forward", "backward", "update" }));
            Assert.That(operators.Sum(one => one.GetProperty("share").GetDouble()), Is.EqualTo(1).Within(1e-9));
            Assert.That(json.RootElement.GetProperty("outsideShare").GetDouble(), Is.InRange(0, 1));
            Assert.That(
                trace.RootElement.GetProperty("traceEvents").GetArrayLength(), Is.EqualTo(4 * operators.Length));
        });
    }

    [TestCase(2, "best may be either", "--device", "best")]
    [TestCase(2, "--trace: the software CUDA device", "--device", "cuda", "--trace", "x")]
    [TestCase(2, "--steps: '0'", "--steps", "0")]
    [TestCase(1, "fewer than 1000 training examples", "--batch", "1000")]
    [TestCase(1, "--trace /nowhere/x: cannot be written", "--trace", "/nowhere/x")]
    public void Bad_options_are_named(int code, string message, params string[] options) =>
        AssertFails(Run(["profile", Recipe, .. options]), code, message);
}
