using System.Globalization;
using System.Xml.Linq;
using FastNN.Layers;

namespace FastNN.Tests.Layers;

internal sealed class ModelSvgTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    private static IEnumerable<TestCaseData> Graphs
    {
        get
        {
            yield return new TestCaseData((int[])[0, 1, 2], (int[])[1, 2, 3]).SetArgDisplayNames("a chain");
            yield return new TestCaseData((int[])[0, 1, 2, 0, 0], (int[])[1, 2, 3, 3, 3])
                .SetArgDisplayNames("a long way round, twice");
            yield return new TestCaseData((int[])[0, 0, 0, 0, 1, 2, 3, 4], (int[])[1, 2, 3, 4, 5, 5, 5, 5])
                .SetArgDisplayNames("a fan");
            yield return new TestCaseData(Array.Empty<int>(), Array.Empty<int>()).SetArgDisplayNames("boxes alone");
            var random = new Random(5);
            int[] to = [.. Enumerable.Range(0, 120).Select(_ => random.Next(1, 50)).Order()];
            yield return new TestCaseData(to.Select(box => random.Next(box)).ToArray(), to).SetArgDisplayNames("a thicket");
        }
    }

    [TestCaseSource(nameof(Graphs))]
    public void Boxes_do_not_overlap_and_arrows_go_down_row_by_row(int[] from, int[] to)
    {
        const double Gap = 10;
        int count = Math.Max(3, to.Append(0).Max() + 1);
        double[] widths = [.. Enumerable.Range(0, count).Select(i => 20.0 + (i * 37 % 50))];
        var layout = new LayeredLayout(widths, [.. from.Zip(to)], Gap);
        foreach (int[] path in layout.Paths)
        {
            IEnumerable<int> rows = Enumerable.Range(layout.RowOf(path[0]), path.Length);
            Assert.That(path.Select(layout.RowOf), Is.EqualTo(rows), "one row after another");
        }

        Assert.That(layout.Paths.Select(path => (path[0], path[^1])), Is.EqualTo(from.Zip(to)));
        foreach (IGrouping<int, int> row in Enumerable.Range(0, count).GroupBy(layout.RowOf))
        {
            int[] sorted = [.. row.OrderBy(layout.CenterOf)];
            for (int i = 1; i < sorted.Length; i++)
            {
                double distance = layout.CenterOf(sorted[i]) - layout.CenterOf(sorted[i - 1]);
                Assert.That(
                    distance, Is.GreaterThan(((widths[sorted[i]] + widths[sorted[i - 1]]) / 2) + Gap - 1e-6));
            }
        }

        for (int i = 0; i < count; i++)
        {
            Assert.That(layout.CenterOf(i) - (widths[i] / 2), Is.GreaterThan(-1e-6));
            Assert.That(layout.CenterOf(i) + (widths[i] / 2), Is.LessThan(layout.Width + 1e-6));
        }
    }

    [Test]
    public void A_chain_is_straight_and_a_bend_keeps_clear_of_the_boxes_between()
    {
        var chain = new LayeredLayout([30, 80, 50], [(0, 1), (1, 2)], 10);
        Assert.That(Enumerable.Range(0, 3).Select(chain.CenterOf), Is.All.EqualTo(40).Within(1e-6));
        var around = new LayeredLayout([30, 80, 50], [(0, 1), (1, 2), (0, 2)], 10);
        int bend = around.Paths[2][1];
        Assert.That(Math.Abs(around.CenterOf(bend) - around.CenterOf(1)), Is.GreaterThan(40 + 10));
    }

    [Test]
    public void A_model_is_a_picture_with_a_box_for_each_operator_and_an_arrow_for_each_value()
    {
        var encoder = new Sequential(new Dense(6, Activation.Tanh), new Dense(4)) { Name = "<a> & \"b\"\u0001" };
        Symbol a = Model.Input("a", [3]), b = Model.Input("b", [3]);
        Symbol first = encoder.Apply(a), second = encoder.Apply(b);
        var model = new Model([a, b], [("sum", first + second), ("code", first)]);
        model.Build();
        var picture = new ModelPicture(new ModelTrace(model));
        XElement svg = XElement.Parse(model.ToSvg());
        XElement[] boxes = [.. svg.Elements(Svg + "rect")];
        double width = Number(svg, "width"), height = Number(svg, "height");
        Assert.Multiple(() =>
        {
            Assert.That(boxes, Has.Length.EqualTo(picture.Nodes.Count).And.Length.EqualTo(11));
            Assert.That(svg.Elements(Svg + "path").Count(), Is.EqualTo(picture.Edges.Count).And.EqualTo(10));
            Assert.That(
                svg.Elements(Svg + "text").Select(text => text.Value), Does.Contain("<a> & \"b\" /0").And.Contain("code"));
            foreach (XElement box in boxes)
            {
                Assert.That(Number(box, "x"), Is.GreaterThanOrEqualTo(0));
                Assert.That(Number(box, "x") + Number(box, "width"), Is.LessThanOrEqualTo(width));
                Assert.That(Number(box, "y") + Number(box, "height"), Is.LessThanOrEqualTo(height));
            }
        });
        static double Number(XElement element, string name) =>
            double.Parse(element.Attribute(name)!.Value, CultureInfo.InvariantCulture);
    }
}
