using System.Globalization;
using FastNN.Hosting.Protocol;

namespace FastNN.Hosting;

/// <summary>What inputs of a call must be.</summary>
internal static class InputRules
{
    /// <summary>Holds the shape of an input against the model's.</summary>
    /// <returns>The bytes of its elements.</returns>
    /// <exception cref="InferenceException">It does not fit.</exception>
    public static int RequireFits(LoadedModel model, int index, ReadOnlySpan<int> dimensions, int bytes)
    {
        ModelTensor tensor = model.Engine.Inputs[index];
        IReadOnlyList<int> expected = tensor.Dimensions;
        bool fits = dimensions.Length == expected.Count;
        long count = 1;
        for (int i = 0; fits && i < dimensions.Length; i++)
        {
            int least = model.Engine.AllowsEmpty && !(i == 0 && model.Engine.IsBatchable) ? 0 : 1;
            fits = expected[i] < 0 ? dimensions[i] >= least : dimensions[i] == expected[i];
            count = dimensions[i] == 0 || count == 0 ? 0 : Math.Min(long.MaxValue / int.MaxValue, count) * dimensions[i];
        }

        if (!fits)
        {
            throw Invalid(model, tensor, $"expected shape {Text([.. expected])}, got {Text(dimensions)}");
        }

        if (model.Engine.IsBatchable && dimensions[0] > model.MaxRows)
        {
            throw Invalid(model, tensor, string.Create(
                CultureInfo.InvariantCulture, $"expected at most {model.MaxRows} examples in one call, got {dimensions[0]}"));
        }

        int size = TensorDataTypes.Size(tensor.DataType);
        if (count > Array.MaxLength / Math.Max(size, sizeof(uint)))
        {
            throw Invalid(model, tensor, $"the shape {Text(dimensions)} has more elements than one call can carry");
        }

        if (size == 0)
        {
            return bytes >= count * sizeof(uint)
                ? bytes
                : throw Invalid(model, tensor, string.Create(CultureInfo.InvariantCulture,
                    $"expected at least {count * sizeof(uint)} bytes for {count} elements with their lengths, got {bytes}"));
        }

        return bytes == -1 || bytes == count * size
            ? (int)count * size
            : throw Invalid(model, tensor, string.Create(
                CultureInfo.InvariantCulture, $"expected {count * size} bytes for shape {Text(dimensions)}, got {bytes}"));
    }

    /// <summary>Every input is there, and they agree on the number of examples.</summary>
    /// <exception cref="InferenceException">They do not.</exception>
    public static void RequireComplete(LoadedModel model, CallTensor[] inputs)
    {
        for (int i = 0; i < inputs.Length; i++)
        {
            if (inputs[i].Buffer is null)
            {
                throw Invalid(model, model.Engine.Inputs[i], "nothing was set; set every input before the call runs");
            }

            if (model.Engine.IsBatchable && inputs[i].Dimensions[0] != inputs[0].Dimensions[0])
            {
                (int examples, int got) = (inputs[0].Dimensions[0], inputs[i].Dimensions[0]);
                throw Invalid(model, model.Engine.Inputs[i], string.Create(CultureInfo.InvariantCulture,
                    $"expected {examples} examples as in input '{model.Engine.Inputs[0].Name}', got {got}"));
            }
        }
    }

    /// <summary>Extents as they are written in messages.</summary>
    public static string Text(ReadOnlySpan<int> dimensions) => $"[{string.Join(", ", dimensions.ToArray())}]";

    private static InferenceException Invalid(LoadedModel model, ModelTensor tensor, string what) => new(
        InferenceFailure.InvalidInput, $"Model '{model.Name}', input '{tensor.Name}': {what}.");
}
