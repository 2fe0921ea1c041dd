using FastNN.Cli.Recipes;

namespace FastNN.Tests.Cli;

/// <summary>What the grid of the recipe digits-detect writes for objects, it reads again.</summary>
internal sealed class BoxGridTests
{
    private static readonly BoxGrid Grid = new(side: 48, stride: 8, classes: 3);

    private static readonly LabeledBox[] Objects =
    [
        new(new BoundingBox(1, 2, 9, 20), 2), new(new BoundingBox(24, 8, 40, 24), 0), new(new BoundingBox(30, 30, 34, 47), 1),
    ];

    [Test]
    public void Objects_come_back()
    {
        IReadOnlyList<Detection> found = Detection.Suppress(Grid.Decode(OutputFor(Objects), least: 0.5f));
        Assert.That(found.Select(detection => detection.Label), Is.EquivalentTo(new[] { 0, 1, 2 }));
        foreach (LabeledBox item in Objects)
        {
            Detection detection = found.Single(detection => detection.Label == item.Label);
            Assert.That(detection.Box.IntersectionOverUnion(item.Box), Is.GreaterThan(0.999f));
            Assert.That(detection.Score, Is.EqualTo(1 / (1 + Math.Exp(-4))).Within(1e-5));
        }
    }

    [Test]
    public void A_center_between_cells_belongs_to_all_of_them_and_one_in_the_middle_to_one()
    {
        // The object's center is the corner of four cells, then the middle of one.
        Assert.That(Cells(new BoundingBox(20, 20, 28, 28)), Is.EqualTo(new[] { 14, 15, 20, 21 }));
        Assert.That(Cells(new BoundingBox(24, 24, 32, 32)), Is.EqualTo(new[] { 21 }));
    }

    [Test]
    public void The_nearest_of_two_objects_has_the_cell()
    {
        LabeledBox near = new(new BoundingBox(23, 23, 32, 32), 1), far = new(new BoundingBox(20, 24, 28, 32), 2);
        foreach (LabeledBox[] objects in (LabeledBox[][])[[near, far], [far, near]])
        {
            var target = new float[Grid.Shape.Count];
            Grid.Encode(objects, target);
            Assert.That(target.AsSpan(21 * 7, 3).ToArray(), Is.EqualTo(new float[] { 0, 1, 0 }));
        }
    }

    [Test]
    public void The_loss_is_least_where_the_output_says_what_is_there()
    {
        using var device = Device.Cpu(1);
        float[] target = new float[Grid.Shape.Count], right = OutputFor(Objects), empty = new float[Grid.Shape.Count];
        Grid.Encode(Objects, target);
        float[] shifted = [.. right];
        for (int i = 3; i < shifted.Length; i += 7)
        {
            shifted[i] += 0.5f;
        }

        double best = Loss(device, right, target);
        Assert.That(best, Is.LessThan(0.1));
        Assert.That(Loss(device, shifted, target), Is.GreaterThan(best + 0.5));
        Assert.That(Loss(device, empty, target), Is.GreaterThan(best + 1));
        Assert.That(Loss(device, empty, new float[target.Length]), Is.Positive.And.LessThan(1000), "without objects");
    }

    private static double Loss(Device device, float[] output, float[] target)
    {
        var graph = new Graph(GraphMode.Inference);
        Shape shape = Grid.Shape.Prepend(1);
        Value o = graph.Input(shape, name: "output"), t = graph.Input(shape, name: "target");
        using Session session = graph.Compile(device, [("loss", Grid.Loss(o, t))]);
        using SessionRun run = session.Begin(shape, shape);
        run.Write<float>("output", output);
        run.Write<float>("target", target);
        run.Compute();
        var loss = new float[1];
        run.Read<float>("loss", loss);
        return loss[0];
    }

    /// <summary>What a network that knows the objects gives: scores of 4 and -4.</summary>
    private static float[] OutputFor(LabeledBox[] objects)
    {
        var output = new float[Grid.Shape.Count];
        Grid.Encode(objects, output);
        for (int i = 0; i < output.Length; i++)
        {
            output[i] = i % 7 < 3 ? (8 * output[i]) - 4 : output[i];
        }

        return output;
    }

    private static int[] Cells(BoundingBox box)
    {
        var target = new float[Grid.Shape.Count];
        Grid.Encode([new LabeledBox(box, 0)], target);
        return [.. Enumerable.Range(0, 36).Where(cell => target[cell * 7] == 1)];
    }
}
