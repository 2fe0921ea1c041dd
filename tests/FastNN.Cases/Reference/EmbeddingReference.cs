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
}
