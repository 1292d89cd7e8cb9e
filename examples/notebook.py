"""The original Kilroy notebook as a script: mimic existing posts, then learn what people like."""

import random

from kilroy_gym.data import MemoryCachingDatasetFactory
from kilroy_gym.interfaces import KilroyFace
from kilroy_gym.modules import KilroyModule
from kilroy_gym.post import PostData
from kilroy_gym.training import KilroyTrainer


class MyFace(KilroyFace):
    def __init__(self):
        self.i = 0
        self.posts = {}

    def scrap(self, limit=None):
        n = limit or 100
        self.i = n + 1
        for i in range(n):
            yield i, PostData(i % 3 == 0)  # every third is True

    def post(self, data):
        post_id = self.i
        self.i += 1
        self.posts[post_id] = data
        return post_id

    def score(self, post_id):
        return int(self.posts[post_id].x) * 2 - 1  # True -> +1, False -> -1


class MyModule(KilroyModule):
    def __init__(self):
        self.p = 0.5  # Bernoulli distribution parameter
        self.i = 0
        self.posts = {}

    def generate(self):
        # generate according to parameter
        x = random.choices([True, False], weights=[self.p, 1 - self.p], k=1)[0]
        post = PostData(x)
        post_id = self.i
        self.posts[post_id] = post
        self.i += 1
        return post_id, post

    def mimic(self, posts):
        # estimate new parameter from posts and step towards it
        p_est = sum(int(post.x) for post in posts) / len(posts)
        self.p = max(min(self.p + 0.001 * (p_est - self.p), 1), 0)
        return self

    def reinforce(self, scores):
        # update parameter according to scores
        scores = {self.posts[post_id].x: score for post_id, score in scores.items()}
        diff = sum((int(x) - self.p) * score for x, score in scores.items()) / len(scores)
        self.p = max(min(self.p + 0.1 * diff, 1), 0)
        return self


face = MyFace()
module = MyModule()
# we can cache all data in memory, because it's so simple
dataset_factory = MemoryCachingDatasetFactory()
trainer = KilroyTrainer(face, module, dataset_factory=dataset_factory)
print(module.p)
trainer = trainer.fine_tune()
print(module.p)
trainer = trainer.run(steps=100, post_rate=0.0001)
print(module.p)
