using System.Numerics.Tensors;

namespace FastNN.Data;

/// <summary>An image with several digits, and what is where in it.</summary>
public sealed class DigitScene
{
    private readonly float[] _pixels;
    private readonly byte[] _classes;
    private readonly List<LabeledBox> _objects = [];

    internal DigitScene(int side) => (Side, _pixels, _classes) = (side, new float[side * side], new byte[side * side]);

    /// <summary>Rows and columns.</summary>
    public int Side { get; }

    /// <summary>The gray levels from 0 to 1, row by row.</summary>
    public ReadOnlySpan<float> Pixels => _pixels;

    /// <summary>The class of each pixel: 0 for no digit, else the digit and 1.</summary>
    public IReadOnlyList<byte> PixelClasses => _classes;

    /// <summary>The digits with the smallest boxes around their ink.</summary>
    public IReadOnlyList<LabeledBox> Objects => _objects;

    /// <summary>Draws a part of a row over what is there; the lighter of both is seen.</summary>
    internal void Draw(ReadOnlySpan<float> pixels, int y, int x)
    {
        Span<float> place = _pixels.AsSpan((y * Side) + x, pixels.Length);
        TensorPrimitives.Max(pixels, place, place);
    }

    /// <summary>Draws the part of an image that has ink into a box.</summary>
    internal void Add(ReadOnlySpan<float> image, int width, BoundingBox ink, BoundingBox box, int label, float threshold)
    {
        for (int row = 0; row < (int)ink.Height; row++)
        {
            ReadOnlySpan<float> line = image.Slice((((int)ink.Top + row) * width) + (int)ink.Left, (int)ink.Width);
            int y = (int)box.Top + row, x = (int)box.Left;
            Draw(line, y, x);
            for (int i = 0; i < line.Length; i++)
            {
                if (line[i] > threshold)
                {
                    _classes[(y * Side) + x + i] = (byte)(label + 1);
                }
            }
        }

        _objects.Add(new LabeledBox(box, label));
    }
}
