using FastNN.Kernels;
using FastNN.Ops;

namespace FastNN.Graphs;

/// <summary>
/// Rewrites a recording before it is planned. Only rewrites that keep every bit of the result are made:
/// <list type="bullet">
/// <item>ReLU then max pooling becomes a pooling that clips: the two commute, and backward then masks at the pooled
/// resolution.</item>
/// <item>An activation behind a dense layer or convolution becomes its epilogue.</item>
/// <item>Log-softmax then cross-entropy becomes cross-entropy from logits.</item>
/// </list>
/// </summary>
internal static class Fusion
{
    /// <param name="nodes">In recording order, each needed by some output.</param>
    /// <param name="outputs">Values that must stay readable.</param>
    /// <param name="root">What a backward pass starts from, or null where none follows.</param>
    public static List<Node> Run(IReadOnlyList<Node> nodes, IReadOnlyCollection<Value> outputs, Value? root)
    {
        List<Node> fused = [.. nodes];
        fused = Rewrite(fused, outputs, (producer, consumer) => ReLUIntoMaxPool(producer, consumer));
        fused = Rewrite(fused, outputs, (producer, consumer) => ActivationIntoEpilogue(producer, consumer, root));
        return Rewrite(fused, outputs, (producer, consumer) => LogSoftmaxIntoCrossEntropy(producer, consumer));
    }

    /// <summary>
    /// Replaces a consumer and the producer of its input 0 by one node, where nothing else reads what lay between.
    /// </summary>
    private static List<Node> Rewrite(List<Node> nodes, IReadOnlyCollection<Value> outputs, Func<Node, Node, Operator?> rule)
    {
        var producers = new Dictionary<Value, Node>();
        var uses = new Dictionary<Value, int>();
        foreach (Node node in nodes)
        {
            foreach (Value input in node.Inputs)
            {
                uses[input] = uses.GetValueOrDefault(input) + 1;
            }
        }

        var result = new List<Node>(nodes.Count);
        foreach (Node node in nodes)
        {
            Node next = node;
            if (producers.TryGetValue(node.Inputs[0], out Node? producer) && uses[producer.Output] == 1
                && !outputs.Contains(producer.Output) && rule(producer, node) is { } op)
            {
                Value[] inputs = [.. producer.Inputs, .. node.Inputs[1..]];
                op.InferShape(Array.ConvertAll(inputs, input => input.Shape));
                next = new Node(op, inputs, node.Output);
                result.Remove(producer);
            }

            producers[next.Output] = next;
            result.Add(next);
        }

        return result;
    }

    private static MaxPool2DOp? ReLUIntoMaxPool(Node producer, Node consumer) =>
        producer.Op is ActivationOp relu && relu.Activation == Activation.ReLU && consumer.Op is MaxPool2DOp { HasReLU: false } pool ? pool.WithReLU() : null;

    // An epilogue's backward overwrites the gradient that it is given, and the root's must outlive the step.
    private static Operator? ActivationIntoEpilogue(Node producer, Node consumer, Value? root) =>
        producer.Op is IActivationEpilogue { Activation.IsNone: true } host && consumer.Op is ActivationOp activation && consumer.Output != root
        && activation.Activation.Function.Info.MayBeEpilogue && (root is null || activation.Activation.ForgetsInput)
            ? host.WithActivation(activation.Activation)
            : null;

    private static CrossEntropyOp? LogSoftmaxIntoCrossEntropy(Node producer, Node consumer) =>
        producer.Op is SoftmaxOp { IsLogarithmOfLastAxis: true } && consumer.Op is CrossEntropyOp { Options.Input: CrossEntropyInput.LogProbabilities } loss
            ? new CrossEntropyOp(loss.Options with { Input = CrossEntropyInput.Logits })
            : null;
}
