using System.Runtime.InteropServices;

namespace FastNN.Hosting;

/// <summary>Writes the tokens of one text into a model's inputs.</summary>
internal static class TokenInputs
{
    /// <summary>
    /// Sets the inputs: the first one to the tokens; further ones of the same type and rank, which models of this kind have, to
    /// 1 if their name says that they are a mask, else to 0, as for segments and positions of a first sentence.
    /// </summary>
    /// <returns>The number of tokens.</returns>
    /// <exception cref="InferenceException">The model has other inputs, or there are no tokens.</exception>
    public static int Write(IModel model, ModelCall call, IReadOnlyList<int> tokens, int most)
    {
        int count = Math.Min(tokens.Count, most);
        if (count == 0)
        {
            throw new InferenceException(
                InferenceFailure.InvalidInput, $"Model '{model.Name}': expected at least one token of a text, got none.");
        }

        for (int i = 0; i < model.Inputs.Count; i++)
        {
            ModelTensor input = model.Inputs[i];
            if (input.Dimensions.Count != 2 || input.DataType is not (TensorDataType.Int32 or TensorDataType.Int64))
            {
                throw new InferenceException(
                    InferenceFailure.InvalidInput,
                    $"Model '{model.Name}': expected inputs of integers [N, T] to embed text, "
                    + $"got '{input.Name}' {input.DataType} {InputRules.Text([.. input.Dimensions])}.");
            }

            bool isMask = input.Name.Contains("mask", StringComparison.OrdinalIgnoreCase);
            Span<byte> bytes = call.SetInput(i, [1, count]);
            for (int place = 0; place < count; place++)
            {
                int value = i == 0 ? tokens[place] : isMask ? 1 : 0;
                if (input.DataType == TensorDataType.Int32)
                {
                    MemoryMarshal.Cast<byte, int>(bytes)[place] = value;
                }
                else
                {
                    MemoryMarshal.Cast<byte, long>(bytes)[place] = value;
                }
            }
        }

        return count;
    }
}
