using System.Globalization;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace FastNN.Hosting;

/// <summary>From floats to calls and back.</summary>
internal static class FloatConverters
{
    // How far sums of probabilities in float32 are from 1.
    private const float Rounding = 1e-3f;

    /// <summary>Writes the one input of a model: examples one behind the other, whose number follows from the length.</summary>
    /// <exception cref="InferenceException">The model takes something else, or another number of values.</exception>
    public static void Write(IModel model, ModelCall call, ReadOnlySpan<float> values)
    {
        ModelTensor input = Only(model, model.Inputs, "input");
        Span<int> dimensions = stackalloc int[input.Dimensions.Count];
        int open = -1;
        long known = 1;
        for (int i = 0; i < dimensions.Length; i++)
        {
            dimensions[i] = input.Dimensions[i];
            if (dimensions[i] >= 0)
            {
                known *= dimensions[i];
            }
            else if (open < 0)
            {
                open = i;
            }
            else
            {
                string shape = InputRules.Text([.. input.Dimensions]);
                throw Unfit(
                    model,
                    $"input '{input.Name}' of shape {shape} has several open extents; add a predictor with a converter");
            }
        }

        if (values.IsEmpty || known == 0 || values.Length % known != 0 || (open < 0 && values.Length != known))
        {
            throw Unfit(model, string.Create(CultureInfo.InvariantCulture,
                $"expected {(open < 0 ? "" : "a multiple of ")}{known} values for input '{input.Name}', got {values.Length}"));
        }

        if (open >= 0)
        {
            dimensions[open] = (int)(values.Length / known);
        }

        MemoryMarshal.AsBytes(values).CopyTo(call.SetInput(0, dimensions));
    }

    /// <summary>Reads the one output of a model.</summary>
    public static float[] Read(IModel model, ModelCall call)
    {
        Only(model, model.Outputs, "output");
        return MemoryMarshal.Cast<byte, float>(call.Output(0)).ToArray();
    }

    /// <summary>
    /// Reads the class of the one example. Scores that are probabilities already, all in 0..1 with the sum 1, are taken as they
    /// are; others are logits, which softmax makes probabilities of.
    /// </summary>
    public static ClassPrediction ReadClass(IModel model, ModelCall call)
    {
        ModelTensor output = Only(model, model.Outputs, "output");
        ReadOnlySpan<float> scores = MemoryMarshal.Cast<byte, float>(call.Output(0));
        ReadOnlySpan<int> dimensions = call.OutputDimensions(0);
        if (dimensions.Length == 0 || scores.Length != dimensions[^1] || scores.Length < 2)
        {
            throw Unfit(
                model, $"expected the scores of two classes or more for one example, got shape {InputRules.Text(dimensions)}");
        }

        int best = TensorPrimitives.IndexOfMax(scores);
        string label = best < output.ClassNames.Count ? output.ClassNames[best] : best.ToString(CultureInfo.InvariantCulture);
        return new ClassPrediction(best, label, Probability(scores, best));
    }

    private static float Probability(ReadOnlySpan<float> scores, int best)
    {
        if (TensorPrimitives.Min(scores) >= 0 && MathF.Abs(TensorPrimitives.Sum(scores) - 1) <= Rounding)
        {
            return scores[best];
        }

        // Against overflow: the largest becomes 0.
        double sum = 0;
        foreach (float score in scores)
        {
            sum += Math.Exp(score - scores[best]);
        }

        return (float)(1 / sum);
    }

    private static ModelTensor Only(IModel model, IReadOnlyList<ModelTensor> tensors, string what) =>
        tensors is [{ DataType: TensorDataType.Float32 } tensor]
            ? tensor
            : throw Unfit(model, $"expected one {what} of FP32, the model has {Text(tensors)}; add a predictor with a converter");

    private static string Text(IReadOnlyList<ModelTensor> tensors) =>
        string.Join(", ", tensors.Select(tensor => $"'{tensor.Name}' of {tensor.DataType}"));

    private static InferenceException Unfit(IModel model, string what) =>
        new(InferenceFailure.InvalidInput, $"Model '{model.Name}': {what}.");
}
