namespace FastNN.Testing;

/// <summary>Einstein's summation by its definition: over all numbers of all labels, in double. Letters alone.</summary>
internal static class EinsumReference
{
    public static double[] Forward(string[] terms, string output, Shape[] shapes, double[][] values)
    {
        Dictionary<char, int> extents = Extents(terms, shapes);
        var y = new double[Count(output, extents)];
        ForEach(extents, numbers =>
            y[Index(output, extents, numbers)] += terms
                .Select((term, i) => values[i][Element(term, shapes[i], numbers)])
                .Aggregate((a, b) => a * b));
        return y;
    }

    public static double[][] Backward(string[] terms, string output, Shape[] shapes, double[][] values, double[] dY)
    {
        Dictionary<char, int> extents = Extents(terms, shapes);
        double[][] gradients = Array.ConvertAll(values, value => new double[value.Length]);
        ForEach(extents, numbers =>
        {
            double upstream = dY[Index(output, extents, numbers)];
            for (int i = 0; i < terms.Length; i++)
            {
                double product = upstream;
                for (int j = 0; j < terms.Length; j++)
                {
                    product *= j == i ? 1 : values[j][Element(terms[j], shapes[j], numbers)];
                }

                gradients[i][Element(terms[i], shapes[i], numbers)] += product;
            }
        });
        return gradients;
    }

    private static Dictionary<char, int> Extents(string[] terms, Shape[] shapes)
    {
        var extents = new Dictionary<char, int>();
        for (int i = 0; i < terms.Length; i++)
        {
            for (int axis = 0; axis < terms[i].Length; axis++)
            {
                extents[terms[i][axis]] = Math.Max(extents.GetValueOrDefault(terms[i][axis]), shapes[i][axis]);
            }
        }

        return extents;
    }

    private static int Count(string labels, Dictionary<char, int> extents) =>
        labels.Aggregate(1, (product, label) => product * extents[label]);

    private static int Index(string labels, Dictionary<char, int> extents, Dictionary<char, int> numbers) =>
        labels.Aggregate(0, (index, label) => (index * extents[label]) + numbers[label]);

    /// <summary>An extent of 1 repeats.</summary>
    private static int Element(string term, Shape shape, Dictionary<char, int> numbers) =>
        term.Select((label, axis) => (label, axis)).Aggregate(
            0, (index, at) => (index * shape[at.axis]) + (shape[at.axis] == 1 ? 0 : numbers[at.label]));

    private static void ForEach(Dictionary<char, int> extents, Action<Dictionary<char, int>> action)
    {
        char[] labels = [.. extents.Keys];
        int count = Count(new string(labels), extents);
        var numbers = new Dictionary<char, int>();
        for (int i = 0; i < count; i++)
        {
            int rest = i;
            foreach (char label in labels)
            {
                numbers[label] = rest % extents[label];
                rest /= extents[label];
            }

            action(numbers);
        }
    }
}
