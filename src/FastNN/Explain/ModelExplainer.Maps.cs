using FastNN.Kernels;

namespace FastNN.Explain;

/// <content>Maps of where in an example the score comes from.</content>
public sealed partial class ModelExplainer
{
    /// <summary>
    /// Grad-CAM (Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based localization", 2017): the
    /// channels of a layer's output, weighted by the means of their gradients, added up and clipped at 0.
    /// </summary>
    /// <param name="x">Examples, flattened one after the other.</param>
    /// <param name="targets">One target for each example, or one for all.</param>
    /// <param name="layer">The path of a layer as in parameter names: "features.3". Its first output must have places and
    /// channels, as [N, H, W, C] or [N, L, C]; usually it is the last convolution.</param>
    /// <returns>A map for each example.</returns>
    /// <exception cref="ShapeException">The length does not fit, or the layer's output has no places.</exception>
    /// <exception cref="ArgumentException">No layer has this path; there are too few or too many targets, or one is out of
    /// range.</exception>
    /// <exception cref="InvalidOperationException">The model applies the layer more than once, or its output does not depend on
    /// it.</exception>
    public AttributionMaps GradCam(ReadOnlySpan<float> x, ReadOnlySpan<int> targets, string layer)
    {
        (float[] examples, int count) = Examples(x);
        int[] chosen = Targets(targets, count);
        Layer found = LayerPaths.Find(_model, layer, nameof(GradCam));
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            using DeviceUse use = _device.Life.Enter();
            int most = Math.Min(count, _maxBatch);
            var maps = new List<float>();
            Shape places = default;
            for (int first = 0; first < count; first += most)
            {
                int batch = Math.Min(most, count - first);
                Program program = Find(batch, found);
                Shape output = program.LayerOutput!.Shape;
                if (output.Rank < 3 || output[0] != batch)
                {
                    throw new ShapeException(
                        $"GradCam: expected a layer whose output has places and channels, such as [N, H, W, C]; '{layer}' gives {output}.");
                }

                var selectors = new float[batch * _outputs];
                for (int i = 0; i < batch; i++)
                {
                    selectors[(i * _outputs) + chosen[first + i]] = 1;
                }

                Run(program, examples.AsSpan(first * _size, batch * _size), selectors, withGradients: true);
                places = output.Slice(1, output.Rank - 2);
                maps.AddRange(Weigh(
                    program.Model.Read(program.LayerOutput!), program.Model.ReadGradient(program.Added!), batch, output[-1]));
            }

            return new AttributionMaps([.. maps], places, count);
        }
    }

    /// <summary>
    /// Occlusion (Zeiler and Fergus, "Visualizing and understanding convolutional networks", 2014): how much the score falls when
    /// a window of the input is filled, with all its channels. Each place of a map is the mean over the windows that cover it, so
    /// positive numbers are where the score comes from.
    /// </summary>
    /// <param name="x">Examples, flattened one after the other: images [H, W, C], sequences [L, C], volumes, or the columns of a
    /// table, [F].</param>
    /// <param name="targets">One target for each example, or one for all.</param>
    /// <param name="options">The window, its stride, and what it is filled with; null for the defaults.</param>
    /// <returns>A map for each example, as large as the input.</returns>
    /// <exception cref="ShapeException">The length, the window or the fill do not fit the input.</exception>
    /// <exception cref="ArgumentException">There are too few or too many targets, or one is out of range.</exception>
    public AttributionMaps Occlusion(ReadOnlySpan<float> x, ReadOnlySpan<int> targets, OcclusionOptions? options = null)
    {
        options ??= new OcclusionOptions();
        (float[] examples, int count) = Examples(x);
        int[] chosen = Targets(targets, count);
        Shape places = InputShape.Rank > 1 ? InputShape.Slice(0, InputShape.Rank - 1) : InputShape;
        int[][] windows = OcclusionWindows.Of(places, options);
        int pixels = (int)places.Count, channels = _size / pixels;
        if (options.Fill.Count != 1 && options.Fill.Count != channels)
        {
            throw new ShapeException(
                $"Occlusion: expected 1 value or one per channel ({channels}) to fill with, got {options.Fill.Count}.");
        }

        float[] scores = Scores(examples, chosen);
        var sums = new double[count * pixels];
        Compute(
            checked(count * windows.Length), withGradients: false, point => chosen[point / windows.Length],
            (point, to) =>
            {
                Example(examples, point / windows.Length).CopyTo(to);
                foreach (int pixel in windows[point % windows.Length])
                {
                    for (int channel = 0; channel < channels; channel++)
                    {
                        to[(pixel * channels) + channel] = options.Fill[options.Fill.Count == 1 ? 0 : channel];
                    }
                }
            },
            (point, output, _) =>
            {
                int example = point / windows.Length;
                double drop = (double)scores[example] - output[chosen[example]];
                foreach (int pixel in windows[point % windows.Length])
                {
                    sums[(example * pixels) + pixel] += drop;
                }
            });
        var covered = new int[pixels];
        foreach (int pixel in windows.SelectMany(window => window))
        {
            covered[pixel]++;
        }

        return new AttributionMaps([.. sums.Select((sum, i) => (float)(sum / covered[i % pixels]))], places, count);
    }

    /// <summary>Channels weighted by the means of their gradients, clipped at 0.</summary>
    private static float[] Weigh(float[] values, float[] gradients, int batch, int channels)
    {
        int pixels = values.Length / batch / channels;
        var maps = new float[batch * pixels];
        var weights = new double[channels];
        for (int example = 0; example < batch; example++)
        {
            Array.Clear(weights);
            int first = example * pixels * channels;
            for (int i = 0; i < pixels * channels; i++)
            {
                weights[i % channels] += (double)gradients[first + i] / pixels;
            }

            for (int pixel = 0; pixel < pixels; pixel++)
            {
                double sum = 0;
                for (int channel = 0; channel < channels; channel++)
                {
                    sum += weights[channel] * values[first + (pixel * channels) + channel];
                }

                maps[(example * pixels) + pixel] = (float)Math.Max(sum, 0);
            }
        }

        return maps;
    }
}
