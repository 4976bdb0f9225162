"""exp"""

from __future__ import annotations
import math
from collections import Counter
from dataclasses import dataclass
from digest.condense.candidates import Candidate, find_candidates
from digest.condense.language import Language, get_language
from digest.condense.standing import is_mid_quote, leans, opens_with_quote
from digest.condense.words import count_words, stems, words
from digest.domain.articles import Article, Origin, Takeaway

W = dict(pos=3.0, cen=1.5, title=0.6, short=1.0, long=1.0, quote=1.0, lean=1.0, question=1.0, person=1.0, mmr=0.3, lensoft=0.0, lo=13, hi=35, mid=1.0, ent=0.0, num=0.0, target=16, posexp=.5,first=0.0)
TRIM=None

def extract(article: Article, count: int, max_words: int) -> list[Takeaway]:
    language = get_language(article.language)
    cands = find_candidates(article, language)
    feats = [features(c, language) for c in cands]
    tf = Counter(s for f in feats for s in f['stems'])
    centroid = {s: n for s, n in tf.items() if n > 1}
    # normalise
    cnorm = math.sqrt(sum(v*v for v in centroid.values())) or 1.0
    title = set(stems(words(article.title), language))
    scores=[]
    for c,f in zip(cands,feats):
        v=f['vec']
        cen = sum(n*centroid.get(s,0) for s,n in v.items())/(f['norm']*cnorm)
        f['cen']=cen
        t = len(title & v.keys())/len(title) if title else 0
        sc = W['pos']/(1+c.position)**W['posexp'] + W['cen']*cen + W['title']*t
        n=f['n']
        sc -= W['short']*(n<W['lo']) + W['long']*(n>W['hi']) + W['quote']*f['quote'] + W['lean']*f['lean'] + W['question']*f['question'] + W['person']*f['person'] + W['mid']*f['mid']
        sc -= W['lensoft']*abs(n-W['target'])
        sc += W['ent']*f['ent'] + W['num']*f['num']
        if n>max_words: sc=-99
        scores.append(sc)
    chosen=[]
    left=set(range(len(cands)))
    while left and len(chosen)<count:
        best=max(left,key=lambda i:(scores[i]-W['mmr']*max((cos(feats[i],feats[j]) for j in chosen),default=0)*W.get('mmrscale',3),-i))
        left.discard(best)
        if scores[best]>-90: chosen.append(best)
        else: break
    chosen.sort()
    return [Takeaway(cands[i].text, Origin.EXTRACTIVE,(cands[i].support,)) for i in chosen]

def cos(a,b):
    return sum(n*b['vec'].get(s,0) for s,n in a['vec'].items())/(a['norm']*b['norm'])

def features(c: Candidate, language: Language):
    ws = words(c.text)
    st = stems(ws, language)
    vec=Counter(st)
    import re
    caps=len(set(re.findall(r"(?<=[a-z,] )[A-Z]\w+",c.text)))
    return dict(stems=st, vec=vec, norm=math.sqrt(sum(v*v for v in vec.values())) or 1.0, n=count_words(c.text), quote=opens_with_quote(c.text), lean=leans(c.text,language),
       question=c.text.rstrip('"”’)').endswith('?'), person=any(w in language.person for w in ws), mid=is_mid_quote(c.text), ent=min(caps,4)/4, num=any(w[0].isdigit() for w in ws))
