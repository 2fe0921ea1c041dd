using FastNN.Cli.Recipes;
using FastNN.Data;

namespace FastNN.Tests.Cli;

internal sealed class RandomShiftTests
{
    private const int Height = 5;
    private const int Width = 4;
    private const int Channels = 2;
    private const int Size = Height * Width * Channels;

    [Test]
    public void Every_image_is_moved_whole_and_every_shift_comes_up()
    {
        var seen = new HashSet<(int Down, int Right)>();
        for (int example = 0; example < 200; example++)
        {
            float[] image = [.. Enumerable.Range(1, Size).Select(i => (float)i)];
            float[] moved = Shift(image, example, epoch: 0);
            seen.Add(FindShift(image, moved));
        }

        Assert.That(seen, Has.Count.EqualTo(9), "all of -1, 0 and 1, down and right");
    }

    [Test]
    public void The_shift_is_a_function_of_seed_epoch_and_example()
    {
        float[] image = [.. Enumerable.Range(1, Size).Select(i => (float)i)];
        float[] once = Shift(image, example: 3, epoch: 2);
        Assert.That(Shift(image, example: 3, epoch: 2), Is.EqualTo(once));
        Assert.That(
            Enumerable.Range(0, 20).Select(epoch => FindShift(image, Shift(image, example: 3, epoch))).Distinct().Count(),
            Is.GreaterThan(1),
            "another epoch moves an example elsewhere");
    }

    private static float[] Shift(float[] image, int example, int epoch)
    {
        var copy = (float[])image.Clone();
        new RandomShift(pixels: 1, background: -7).Apply(
            new TransformContext(copy, [Height, Width, Channels], [example], seed: 5, epoch, batch: 0));
        return copy;
    }

    private static (int Down, int Right) FindShift(float[] image, float[] moved)
    {
        for (int down = -1; down <= 1; down++)
        {
            for (int right = -1; right <= 1; right++)
            {
                if (moved.SequenceEqual(Reference(image, down, right)))
                {
                    return (down, right);
                }
            }
        }

        throw new AssertionException("The image was not moved by at most one pixel.");
    }

    private static float[] Reference(float[] image, int down, int right)
    {
        var moved = new float[Size];
        for (int i = 0; i < Size; i++)
        {
            (int y, int x, int c) = (i / (Width * Channels), i / Channels % Width, i % Channels);
            (int fromY, int fromX) = (y - down, x - right);
            bool inside = (uint)fromY < Height && (uint)fromX < Width;
            moved[i] = inside ? image[(((fromY * Width) + fromX) * Channels) + c] : -7;
        }

        return moved;
    }
}
