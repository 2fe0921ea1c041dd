using FastNN.Testing;

namespace FastNN.Hosting.Tests.Models;

/// <summary>Runs a page's code in a folder of its own, since pages name files without a path.</summary>
[NonParallelizable]
public abstract class PageFixture : FolderFixture
{
    private string _before = "";

    [SetUp]
    public void Enter()
    {
        _before = Directory.GetCurrentDirectory();
        Directory.SetCurrentDirectory(Folder);
    }

    [TearDown]
    public void Leave() => Directory.SetCurrentDirectory(_before);
}
