namespace FastNN.Hosting.Tests.Models;

/// <summary>The memory of calls' tensors.</summary>
public sealed class BufferPoolTests
{
    [Test]
    public void A_buffer_comes_back_for_the_next_call()
    {
        var pool = new BufferPool();
        byte[] first = pool.Rent(1000);
        Assert.That(first, Has.Length.EqualTo(1024));
        Assert.That(pool.Rented, Is.EqualTo(1));
        pool.Return(first);
        Assert.That((pool.Rented, pool.KeptBytes), Is.EqualTo((0, 1024)));
        Assert.That(pool.Rent(513), Is.SameAs(first));
        Assert.That(pool.KeptBytes, Is.Zero);
        pool.Return(first);
        pool.Trim();
        Assert.That(pool.KeptBytes, Is.Zero);
    }

    [TestCase(0, 256)]
    [TestCase(1, 256)]
    [TestCase(256, 256)]
    [TestCase(257, 512)]
    [TestCase(65_536, 65_536)]
    [TestCase(65_537, 131_072)]
    public void Sizes_are_powers_of_two(int bytes, int expected) =>
        Assert.That(new BufferPool().Rent(bytes), Has.Length.EqualTo(expected));

    [Test]
    public void What_it_keeps_is_bounded()
    {
        var pool = new BufferPool(limit: 4096);
        byte[][] buffers = [.. Enumerable.Range(0, 10).Select(_ => pool.Rent(1024))];
        foreach (byte[] buffer in buffers)
        {
            pool.Return(buffer);
        }

        Assert.That((pool.Rented, pool.KeptBytes), Is.EqualTo((0, 4096)));
    }
}
