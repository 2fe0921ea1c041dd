using FastNN.Graphs;

namespace FastNN.Tests.Graphs;

/// <summary>
/// More than 2^31 - 1 elements, and more than can be addressed, are refused by operator and shape while recording or planning;
/// nothing overflows and no memory is taken.
/// </summary>
internal sealed class LargeShapeTests : DeviceFixture
{
    private const int Big = 65536;

    private static IEnumerable<TestCaseData> Recordings()
    {
        yield return Case("sum", g => g.Input([Big, 1]) + g.Input([1, Big]), "Add");
        yield return Case("product", g => g.Input([Big, 1]).MatMul(g.Input([1, Big])), "MatMul");
        yield return Case("products", g => g.Input([Big, 3, 2]).MatMul(g.Input([Big, 2, Big])), "An input");
        yield return Case("batches", g => g.Input([Big, 200, 2]).MatMul(g.Input([2, 200])), "MatMul");
        yield return Case("joined", g => Operators.Concat(0, g.Input([int.MaxValue, 1]), g.Input([1, 1])), "Concat");
        yield return Case("joined rows", g => Operators.Concat(1, g.Input([Big, 20_000]), g.Input([Big, 20_000])), "Concat");
        yield return Case("stacked", g => ShapeOperators.Stack(0, g.Input([Big, 20_000]), g.Input([Big, 20_000])), "Concat");
        yield return Case("looked up", g => g.Input([Big], DType.Int32).Embedding(g.Input([2, Big])), "Embedding");
        yield return Case(
            "chosen", g => ShapeOperators.Where(g.Input([Big, 1], DType.Bool), g.Input([1, Big]), g.Constant(0)), "Where");
        yield return Case("input", g => g.Input([Big, Big]), "An input");
        yield return Case("flat", g => g.Input([2, Big, Big]).Flatten(), "An input");
    }

    [TestCaseSource(nameof(Recordings))]
    public void A_recording_names_what_is_too_large(Func<Graph, Value> record, string named) =>
        Assert.That(() => record(new Graph(GraphMode.Training)), Throws.TypeOf<ShapeException>().With.Message.Contains(named));

    [TestCase("Concat")]
    [TestCase("MatMul")]
    [TestCase("Embedding")]
    [TestCase("Add")]
    public void A_plan_names_what_is_too_large_once_symbols_have_numbers(string operation)
    {
        var graph = new Graph(GraphMode.Inference);
        Value x = graph.Input([Dim.Batch, 40_000]), y = operation switch
        {
            "Concat" => Operators.Concat(0, x, x),
            "MatMul" => x.MatMul(graph.Input([40_000, 50_000])),
            "Embedding" => x.Cast(DType.Int32).Embedding(graph.Input([2, 3])),
            _ => x.Reshape([Dim.Batch, 40_000, 1]) + graph.Input([40_000, 2]),
        };
        using Device device = Device.Cpu(1);
        using Session session = graph.Compile(device, [y]);
        Shape[] shapes = [[50_000, 40_000], .. session.Inputs.Skip(1).Select(input => input.Shape)];
        string message = "";
        try
        {
            using SessionRun run = session.Begin(shapes);
        }
        catch (ShapeException exception)
        {
            message = exception.Message;
        }

        Assert.That(message, Does.StartWith(operation).And.Contains("elements"));
        Assert.That(device.Memory.LiveBlocks, Is.EqualTo(1), "the session's parameters alone");
    }

    [Test]
    public void A_plan_that_no_address_space_holds_is_refused_by_its_largest_part()
    {
        var graph = new Graph(GraphMode.Training);
        Value x = graph.Input([30_000, Big]), y = x;
        for (int i = 0; i < 20_000; i++)
        {
            y = y.Sigmoid();
        }

        Assert.That(
            () => Compiler.Compile(One, graph, [y], y, x),
            Throws.TypeOf<ShapeException>().With.Message.Contains("the plan would take").And.Message.Contains("7,864,320,000"));
    }

    [Test]
    public void A_batch_that_is_too_large_is_named_by_trainer_and_predictor()
    {
        Sequential model = Toy.Built();
        using Device device = Device.Cpu(1);
        using Trainer trainer = Toy.Trainer(device, model);
        Assert.That(() => trainer.PlanMemory(1 << 29), Throws.TypeOf<ShapeException>().With.Message.Contains("elements"));
    }

    private static TestCaseData Case(string name, Func<Graph, Value> record, string named) =>
        new TestCaseData(record, named).SetArgDisplayNames(name);
}
