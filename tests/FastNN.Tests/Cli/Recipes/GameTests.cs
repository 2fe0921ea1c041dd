using FastNN.Cli.Recipes;

namespace FastNN.Tests.Cli.Recipes;

internal sealed class GameTests
{
    [Test]
    public void A_push_moves_the_cart_and_leans_the_pole_the_other_way()
    {
        var cart = new CartPole();
        cart.Reset(new Random(0));
        cart.Place(0, 0, 0, 0);
        cart.Step(1);

        // By hand: the push is 10 N on 1.1 kg; the pole turns by -(push) / (0.5 (4/3 - 0.1/1.1)), and that moves the cart back.
        double push = 10 / 1.1, turn = -push / (0.5 * ((4.0 / 3) - (0.1 / 1.1)));
        Assert.That(State(cart), Is.EqualTo(new[] { 0, 0.02 * (push - (0.05 * turn / 1.1)), 0, 0.02 * turn }).Within(1e-6));
        cart.Step(1);
        Assert.That(State(cart)[0], Is.EqualTo(0.02 * 0.02 * (push - (0.05 * turn / 1.1))).Within(1e-6));
    }

    [TestCase(2.41, 0, true)]
    [TestCase(-2.41, 0, true)]
    [TestCase(0, 0.21, true)]
    [TestCase(2.3, 0.2, false)]
    public void It_ends_where_the_cart_or_the_pole_is_too_far(double position, double angle, bool ends)
    {
        var cart = new CartPole();
        cart.Reset(new Random(0));
        cart.Place(position, 0, angle, 0);
        Assert.That(cart.Step(0), Is.EqualTo((1f, ends, false)));
    }

    [Test]
    public void Steps_run_out_without_the_episode_having_ended()
    {
        var cart = new CartPole();
        cart.Reset(new Random(0));
        for (int step = 1; step <= cart.MaxSteps; step++)
        {
            cart.Place(0, 0, 0, 0);
            Assert.That(cart.Step(step % 2), Is.EqualTo((1f, false, step == 500)));
        }

        Assert.That(cart.Return, Is.EqualTo(500));
        Assert.That(
            () => cart.Step(2),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith(
                "CartPole: expected an action from 0 to 1, got 2"));
    }

    [Test]
    public void The_shortest_path_leads_to_the_goal_in_so_many_steps_and_not_in_fewer()
    {
        var rooms = new FourRooms();
        var random = new Random(3);
        for (int episode = 0; episode < 50; episode++)
        {
            rooms.Reset(random);
            int wanted = rooms.ShortestPath(), steps = 0;
            bool over = false;
            while (!over)
            {
                // The action after which the path is shortest, found by trying each in a copy of the place.
                int before = rooms.ShortestPath();
                int action = Enumerable.Range(0, 4).First(candidate => rooms.PathAfter(candidate) == before - 1);
                (float reward, over, _) = rooms.Step(action);
                Assert.That(reward, Is.EqualTo(over ? 0.99f : -0.01f));
                steps++;
            }

            Assert.That(steps, Is.EqualTo(wanted));
        }
    }

    [Test]
    public void A_replay_memory_keeps_the_last_transitions_whole()
    {
        var memory = new ReplayMemory(capacity: 3, observationSize: 2);
        for (int i = 0; i < 5; i++)
        {
            memory.Add([i, -i], i, 10 * i, [i + 1, -i - 1], i % 2 == 0);
        }

        Assert.That(memory.Count, Is.EqualTo(3));
        var batch = new TransitionBatch(200, 2);
        memory.Draw(new Random(1), batch);
        Assert.That(batch.Actions.Distinct(), Is.EquivalentTo(new[] { 2, 3, 4 }));
        for (int i = 0; i < batch.Actions.Length; i++)
        {
            int action = batch.Actions[i];
            Assert.That(batch.Before[(2 * i)..((2 * i) + 2)], Is.EqualTo(new float[] { action, -action }));
            Assert.That(batch.After[(2 * i)..((2 * i) + 2)], Is.EqualTo(new float[] { action + 1, -action - 1 }));
            Assert.That((batch.Rewards[i], batch.Terminated[i]), Is.EqualTo((10f * action, action % 2 == 0)));
        }
    }

    private static float[] State(GameEnvironment environment)
    {
        var state = new float[environment.ObservationSize];
        environment.Observe(state);
        return state;
    }
}
