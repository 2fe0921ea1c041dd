namespace FastNN.Tests.Layers;

/// <summary>Filters of more taps than a thread's scratch memory has room for their places.</summary>
internal sealed class LargeFilterTests
{
    private static IEnumerable<TestCaseData> Filters()
    {
        yield return new TestCaseData(new Conv2D(1, 730) { Dilation = (1, 2) }, new Shape(731, 1461, 1)).SetArgDisplayNames(
            "dilated columns");
        yield return new TestCaseData(new Conv2D(4, 730) { Groups = 2 }, new Shape(731, 731, 2)).SetArgDisplayNames("groups");
        yield return new TestCaseData(new Conv2D(1, (600_000, 1)), new Shape(600_003, 2, 1)).SetArgDisplayNames("rows");
        yield return new TestCaseData(new Conv2D(1, (1, 600_000)) { Dilation = (1, 2) },
            new Shape(1, 1_200_003, 1)).SetArgDisplayNames("one row");
        yield return new TestCaseData(
            new Conv2D(1, (3, 600_000)) { Dilation = (1, 2), Padding = Padding2D.Symmetric(1, 9) }, new Shape(3, 1_200_003, 1))
            .SetArgDisplayNames("padded");
    }

    [TestCaseSource(nameof(Filters))]
    public void They_add_up_all_taps(Conv2D layer, Shape image)
    {
        var model = new Sequential(layer);
        model.Build(image, seed: 1);
        Parameter filter = model.Parameters[0];

        // Sums of small integers, exact in any order; the filter's rows differ, and so do its columns.
        float[] weights = [.. Enumerable.Range(0, (int)filter.Count).Select(i => (float)((i % 5) - 2))];
        filter.Write(weights);
        float[] x = [.. Enumerable.Range(0, (int)image.Count).Select(i => (float)((i % 7) - 3))];
        using Device device = Device.Cpu(2);
        using Predictor predictor = model.CreatePredictor(device, 1);
        float[] y = predictor.Predict(x);
        Shape output = predictor.OutputShape;
        (int height, int width, int channels) = (output[0], output[1], output[2]);
        foreach (int at in (int[])[0, 1, y.Length / 2, y.Length - 1])
        {
            Assert.That(
                y[at], Is.EqualTo(Expected(at / width / channels, at / channels % width, at % channels)),
                $"output {at} of {height} rows");
        }

        float Expected(int row, int column, int channel)
        {
            Shape f = filter.Shape;
            (int top, int left) = (row - layer.Padding.Top, column - layer.Padding.Left);
            int group = channel / (f[3] / layer.Groups);
            double sum = 0;
            for (int kh = 0; kh < f[0]; kh++)
            {
                for (int kw = 0; kw < f[1]; kw++)
                {
                    (int h, int w) = (top + (kh * layer.Dilation.Rows), left + (kw * layer.Dilation.Columns));
                    for (int c = 0; c < f[2] && h >= 0 && h < image[0] && w >= 0 && w < image[1]; c++)
                    {
                        double weight = weights[(((((kh * f[1]) + kw) * f[2]) + c) * f[3]) + channel];
                        sum += x[(((h * image[1]) + w) * image[2]) + (group * f[2]) + c] * weight;
                    }
                }
            }

            return (float)sum;
        }
    }
}
