using System.Text.RegularExpressions;

namespace FastNN.Tests.Layers;

internal sealed partial class ModelDotTests
{
    [Test]
    public void A_chain_is_drawn_with_frames_around_layers()
    {
        var model = new Sequential(
            new Dense(4, Activation.ReLU) { Name = "first" }, new Sequential(new Dense(2)) { Name = "body" });
        model.Build([3]);
        Assert.That(model.ToDot(), Is.EqualTo(
            """
            digraph model {
              rankdir=TB;
              node [shape=box, style=rounded, fontname="sans-serif", fontsize=10];
              in0 [shape=ellipse, label="input\n[N, 3]"];
              out0 [shape=ellipse, label="output\n[N, 2]"];
              subgraph cluster0 {
                label="first"; color=gray; fontname="sans-serif"; fontsize=10;
                n0 [label="Dense\n[N, 4]"];
                n1 [label="ReLU\n[N, 4]"];
              }
              subgraph cluster1 {
                label="body"; color=gray; fontname="sans-serif"; fontsize=10;
                subgraph cluster2 {
                  label="0"; color=gray; fontname="sans-serif"; fontsize=10;
                  n2 [label="Dense\n[N, 2]"];
                }
              }
              in0 -> n0;
              n0 -> n1;
              n1 -> n2;
              n2 -> out0;
            }

            """.ReplaceLineEndings("\n")));
    }

    [Test]
    public void Names_of_users_do_not_end_a_label()
    {
        var model = new Sequential(new Dense(1) { Name = "a\"b\\c\nd" });
        model.Build([1]);
        Assert.That(model.ToDot(), Does.Contain("""label="a\"b\\c\nd";"""));
    }

    [Test]
    public void Every_edge_joins_two_nodes_and_shared_layers_have_a_frame_for_each_call()
    {
        var encoder = new Sequential(new Dense(6, Activation.Tanh), new Dense(4)) { Name = "encoder" };
        Symbol a = Model.Input("a", [3]), b = Model.Input("b", [3]);
        Symbol first = encoder.Apply(a), second = encoder.Apply(b);
        var model = new Model([a, b], [("sum", first + second), ("code", first)]);
        model.Build();
        string dot = model.ToDot();
        string[] declared = [.. Declared().Matches(dot).Select(match => match.Groups[1].Value)];
        string[] ends = [.. Edge().Matches(dot).SelectMany(match => (string[])[match.Groups[1].Value, match.Groups[2].Value])];
        Assert.Multiple(() =>
        {
            Assert.That(declared, Is.Unique);
            Assert.That(ends.Except(declared), Is.Empty);
            Assert.That(declared.Except(ends), Is.Empty);
            Assert.That(dot, Does.Contain("label=\"encoder\"").And.Contain("label=\"encoder_1\""));
            Assert.That(dot, Does.Contain("label=\"sum\\n[N, 4]\"").And.Contain("label=\"code\\n[N, 4]\""));
            Assert.That(dot.Count(c => c == '{'), Is.EqualTo(dot.Count(c => c == '}')));
        });
    }

    [Test]
    public void A_model_that_is_not_built_says_so() =>
        Assert.That(() => new Dense(1).ToDot(), Throws.InvalidOperationException.With.Message.Contains("ToDot"));

    [GeneratedRegex(@"^ *((?:in|n|out)\d+) \[", RegexOptions.Multiline)]
    private static partial Regex Declared();

    [GeneratedRegex(@"^ *(\w+) -> (\w+);$", RegexOptions.Multiline)]
    private static partial Regex Edge();
}
