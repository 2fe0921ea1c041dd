namespace FastNN.Testing;

/// <summary>Rows of a table by their numbers, in double.</summary>
internal static class EmbeddingReference
{
    public static double[] Forward(double[] indices, double[] weight, int width) =>
        [.. indices.SelectMany(index => weight.Skip((int)index * width).Take(width))];

    public static double[] Backward(double[] indices, double[] dY, int count, int width, int padding)
    {
        var gradient = new double[count];
        for (int i = 0; i < dY.Length; i++)
        {
            int row = (int)indices[i / width];
            gradient[(row * width) + (i % width)] += row == padding ? 0 : dY[i];
        }

        return gradient;
    }

    /// <summary>Bags [B, length], each to one row; those of nothing but padding give zeros.</summary>
    public static double[] Bags(
        double[] indices, double[] weight, int length, int width, EmbeddingBagMode mode, double[]? factors, int padding) =>
        Bags(
            indices, [.. Enumerable.Range(0, indices.Length / length).Select(bag => (double)bag * length)], weight, width, mode,
            factors, padding);

    /// <summary>Bags that begin at the offsets, likewise.</summary>
    public static double[] Bags(
        double[] indices, double[] offsets, double[] weight, int width, EmbeddingBagMode mode, double[]? factors, int padding)
    {
        var y = new double[offsets.Length * width];
        for (int i = 0; i < y.Length; i++)
        {
            int bag = i / width, first = (int)offsets[bag];
            int next = bag + 1 < offsets.Length ? (int)offsets[bag + 1] : indices.Length;
            int[] places = [.. Enumerable.Range(first, next - first).Where(place => (int)indices[place] != padding)];
            double[] column = [
                .. places.Select(place => weight[((int)indices[place] * width) + (i % width)] * (factors?[place] ?? 1))];
            y[i] = column.Length == 0 ? 0
                : mode == EmbeddingBagMode.Max ? column.Max()
                : column.Sum() / (mode == EmbeddingBagMode.Mean ? column.Length : 1);
        }

        return y;
    }

    /// <summary>The gradient of the weight [entries, width] where bags give maxima: the first of equal rows has it.</summary>
    public static double[] LargestBackward(
        double[] indices, double[] offsets, double[] weight, double[] dY, int width, int padding)
    {
        var gradient = new double[weight.Length];
        for (int i = 0; i < dY.Length; i++)
        {
            int bag = i / width, end = bag + 1 < offsets.Length ? (int)offsets[bag + 1] : indices.Length, winner = -1;
            for (int place = (int)offsets[bag]; place < end; place++)
            {
                int element = ((int)indices[place] * width) + (i % width);
                if ((int)indices[place] != padding && (winner < 0 || weight[element] > weight[winner]))
                {
                    winner = element;
                }
            }

            if (winner >= 0)
            {
                gradient[winner] += dY[i];
            }
        }

        return gradient;
    }
}
